//! Decides at each bracket whether its inside is cut.

use super::super::Unbalanced;
use super::super::statement::{Inside, Place, inside, seen};
use super::{Lexer, MAX_DEPTH, Open, Skip};

impl Lexer<'_> {
    pub(super) fn opens(&mut self, bracket: u8) -> Result<(), Unbalanced> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Unbalanced);
        }
        let at = self.at;
        self.at += 1;
        if self.skip.is_some() {
            self.open.push(Open::Group(bracket));
            self.before = bracket;
            return Ok(());
        }
        let direct = self.is_direct();
        let place = Place {
            bracket,
            statement: self.statement,
            direct,
            before: self.before,
            after: self.next_byte(self.at),
            in_class: self.open.last() == Some(&Open::Class),
            wrappers: self.wrappers,
        };
        let what = inside(self.language, place);
        let skip = |within| Some(Skip { from: at + 1, depth: self.open.len(), within, through: false });
        match what {
            Inside::Skip => self.skip = skip(false),
            Inside::SkipWithin => self.skip = skip(true),
            Inside::Enter | Inside::EnterClass | Inside::EnterWrapper => {}
        }
        self.open.push(match what {
            Inside::EnterClass => Open::Class,
            Inside::EnterWrapper => Open::Wrapper,
            _ => Open::Group(bracket),
        });
        self.wrappers += usize::from(what == Inside::EnterWrapper);
        if bracket == b'{' && self.skip.is_none() {
            self.new_statement();
        }
        self.before = bracket;
        Ok(())
    }

    pub(super) fn closes(&mut self, bracket: u8) -> Result<(), Unbalanced> {
        let closed = self.open.pop().ok_or(Unbalanced)?;
        if closed.close() != bracket {
            return Err(Unbalanced);
        }
        self.at += 1;
        if closed == Open::Template {
            self.template(self.at);
            return Ok(());
        }
        self.wrappers -= usize::from(closed == Open::Wrapper);
        self.before = bracket;
        let mut within = false;
        if let Some(skip) = self.skip {
            if skip.depth < self.open.len() {
                return Ok(());
            }
            self.skip = None;
            within = skip.within;
            self.cut(skip.from, self.at - usize::from(!skip.through), b"");
        }
        if self.open.len() < self.statement.depth || (bracket == b'}' && !within) {
            self.new_statement();
        } else if bracket == b')' && self.is_direct() {
            self.statement.seen |= seen::GROUP;
        }
        Ok(())
    }
}
