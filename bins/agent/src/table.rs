//! Tables that fit the terminal: what is long is cut by the width it takes on the screen, and only there.

use crate::output::{Style, Terminal, one_line, paint};
use unicode_width::UnicodeWidthStr;

/// What stands between two columns.
const GAP: usize = 2;
/// A column of texts is not made narrower than this.
const NARROWEST: usize = 8;

/// How a column deals with its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Words, shown whole.
    Word,
    /// Numbers, shown whole and aligned at their end.
    Number,
    /// Texts, cut where the terminal is too narrow.
    Text,
}

/// A column: its title and how it deals with its cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    kind: Kind,
}

/// A column of words, shown whole.
pub(crate) const fn word(title: &'static str) -> Column {
    Column { title, kind: Kind::Word }
}

/// A column of numbers, aligned at their end.
pub(crate) const fn number(title: &'static str) -> Column {
    Column { title, kind: Kind::Number }
}

/// A column of texts, cut where the terminal is too narrow.
pub(crate) const fn text(title: &'static str) -> Column {
    Column { title, kind: Kind::Text }
}

/// A cell, in one line and without what would steer the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// Stands out.
    pub(crate) fn styled(text: impl ToString, style: Style) -> Self {
        Self { text: one_line(&text.to_string()), style: Some(style) }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: one_line(&text.to_string()), style: None }
    }
}

/// Rows of cells under titles.
#[derive(Debug)]
pub(crate) struct Table<const COLUMNS: usize> {
    columns: [Column; COLUMNS],
    rows: Vec<[Cell; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// Without rows.
    pub(crate) fn new(columns: [Column; COLUMNS]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it to standard output.
    pub(crate) fn show(&self, terminal: &Terminal) {
        for line in self.lines(terminal.width, terminal.colours) {
            terminal.line(line);
        }
    }

    fn lines(&self, width: Option<usize>, colours: bool) -> Vec<String> {
        let mut widths = self.columns.map(|column| column.title.width());
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(cell.text.width());
            }
        }
        if let Some(width) = width {
            self.fit(&mut widths, width);
        }
        let titles =
            self.columns.map(|column| Cell { text: column.title.to_owned(), style: Some(Style::Bold) });
        std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, &widths, colours)).collect()
    }

    /// Takes from the widest texts what does not fit; then from whatever stands last.
    fn fit(&self, widths: &mut [usize; COLUMNS], available: usize) {
        let taken = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * (COLUMNS - 1);
        while taken(widths) > available {
            let texts = self.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Text);
            let widest = texts.map(|(index, _)| index).max_by_key(|index| widths[*index]);
            let widest = widest.filter(|index| widths[*index] > NARROWEST);
            let Some(index) = widest.or_else(|| widths.iter().rposition(|width| *width > 1)) else { return };
            widths[index] -= 1;
        }
    }

    fn line(&self, row: &[Cell; COLUMNS], widths: &[usize; COLUMNS], colours: bool) -> String {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let shown = cut(&cell.text, *width);
            let room = " ".repeat(width.saturating_sub(shown.width()));
            let painted = match cell.style {
                Some(style) if !shown.is_empty() => paint(colours, style, shown),
                _ => shown,
            };
            if index > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            if self.columns[index].kind == Kind::Number {
                line.push_str(&room);
            }
            line.push_str(&painted);
            if self.columns[index].kind != Kind::Number {
                line.push_str(&room);
            }
        }
        line.trim_end().to_owned()
    }
}

/// A text in so many columns of the screen, with an ellipsis where it was cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        kept.push(c);
        // Of the whole, since a character can widen the one before it.
        if kept.width() + 1 > width {
            kept.pop();
            break;
        }
    }
    if width == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans() -> Table<3> {
        let mut table = Table::new([number("plan"), word("status"), text("goal")]);
        table.row([
            7.into(),
            Cell::styled("completed", Style::Green),
            "修复失败的测试，并且不要改变公共接口".into(),
        ]);
        table.row([12.into(), "failed".into(), "short\nand more".into()]);
        table
    }

    #[test]
    fn without_a_terminal_nothing_is_cut_or_coloured() {
        let lines = plans().lines(None, false);
        assert_eq!(lines[0], "plan  status     goal");
        assert_eq!(lines[1], "   7  completed  修复失败的测试，并且不要改变公共接口");
        assert_eq!(lines[2], "  12  failed     short");
    }

    #[test]
    fn a_text_is_cut_where_it_ends_on_the_screen() {
        for text in [
            "⚠\u{fe0f} Fix the failing tests",
            "✔\u{fe0f}❤\u{fe0f} done and done",
            "👩\u{200d}🚀 to the moon",
        ] {
            for width in 0..30 {
                assert!(cut(text, width).width() <= width, "{text} in {width}");
            }
        }
    }

    #[test]
    fn every_line_fits_whatever_the_width_and_words_stay_whole_while_texts_give_way() {
        let lines = plans().lines(Some(30), false);
        assert_eq!(lines[1], "   7  completed  修复失败的测…");
        for width in 1..60 {
            for line in plans().lines(Some(width), false) {
                assert!(line.width() <= width.max(7), "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn colours_take_no_room() {
        let lines = plans().lines(Some(30), true);
        assert_eq!(lines[1], "   7  \u{1b}[32mcompleted\u{1b}[0m  修复失败的测…");
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        assert_eq!(cut("ab修复", 6), "ab修复");
        assert_eq!(cut("ab修复", 5), "ab修…");
        assert_eq!(cut("ab修复", 4), "ab…");
        assert_eq!(cut("ab", 0), "");
    }
}
