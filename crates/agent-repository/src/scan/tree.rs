//! Draws the folder tree.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::display::escaped;

/// Entries drawn of one folder, so that a single large folder does not use up the drawing.
const MAX_SIBLINGS: usize = 60;

/// The upper part of a folder tree.
#[derive(Debug)]
pub(crate) struct Tree {
    max_depth: usize,
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    is_folder: bool,
    /// Files and folders below the drawn depth.
    deeper: bool,
    /// Folders first, then by name.
    children: BTreeMap<(bool, Vec<u8>), Node>,
}

struct Drawing {
    text: String,
    left: usize,
    cut: usize,
}

impl Tree {
    pub(crate) fn new(max_depth: usize) -> Self {
        Self { max_depth, root: Node::default() }
    }

    pub(crate) fn add(&mut self, path: &[u8], depth: usize, is_folder: bool) {
        let mut node = &mut self.root;
        let mut names = path.split(|byte| *byte == b'/').take(self.max_depth).peekable();
        while let Some(name) = names.next() {
            let folder = is_folder || names.peek().is_some() || depth > self.max_depth;
            node = node.children.entry((!folder, name.to_vec())).or_default();
            node.is_folder = folder;
        }
        node.deeper |= depth > self.max_depth;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.root.merge(other.root);
    }

    /// At most `max_entries` lines of names; what is cut is said.
    pub(crate) fn draw(&self, max_entries: usize) -> String {
        let mut drawing = Drawing { text: ".\n".to_owned(), left: max_entries, cut: 0 };
        drawing.children(&self.root, "");
        if drawing.cut > 0 {
            // Writing to a String cannot fail.
            let _ =
                writeln!(drawing.text, "(cut: {} more entries above depth {})", drawing.cut, self.max_depth);
        }
        drawing.text
    }
}

impl Node {
    fn merge(&mut self, other: Self) {
        self.is_folder |= other.is_folder;
        self.deeper |= other.deeper;
        for (key, child) in other.children {
            self.children.entry(key).or_default().merge(child);
        }
    }

    fn entries(&self) -> usize {
        self.children.values().map(|child| 1 + child.entries()).sum()
    }
}

impl Drawing {
    fn children(&mut self, node: &Node, indent: &str) {
        let total = node.children.len();
        let mut hidden = 0;
        for (number, ((_, name), child)) in node.children.iter().enumerate() {
            if self.left == 0 || number >= MAX_SIBLINGS {
                hidden += 1;
                self.cut += 1 + child.entries();
                continue;
            }
            self.left -= 1;
            let last = number + 1 == total;
            let (branch, next) = if last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let mark = match (child.is_folder, child.deeper) {
                (true, true) => "/ …",
                (true, false) => "/",
                (false, _) => "",
            };
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "{indent}{branch}{}{mark}", escaped(name));
            self.children(child, &format!("{indent}{next}"));
        }
        if hidden > 0 {
            let _ = writeln!(self.text, "{indent}└── … {hidden} more");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    fn tree(paths: &[&str], max_depth: usize) -> Tree {
        let mut tree = Tree::new(max_depth);
        for path in paths {
            let (path, folder) = path.strip_suffix('/').map_or((*path, false), |folder| (folder, true));
            tree.add(path.as_bytes(), path.split('/').count(), folder);
        }
        tree
    }

    #[test]
    fn folders_come_first_and_names_are_in_order() {
        let drawn = tree(&["b.rs", "src/", "src/z.rs", "src/a.rs", "a.rs"], 4).draw(100);
        assert_eq!(drawn, ".\n├── src/\n│   ├── a.rs\n│   └── z.rs\n├── a.rs\n└── b.rs\n");
    }

    #[test]
    fn a_folder_below_the_depth_says_that_there_is_more() {
        assert_eq!(tree(&["a/", "a/b/", "a/b/c.rs", "a/b/d.rs"], 2).draw(100), ".\n└── a/\n    └── b/ …\n");
    }

    #[test]
    fn the_number_of_lines_is_bounded_and_the_cut_is_said() {
        let names: Vec<String> = (0..500).map(|n| format!("f{n:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let drawn = tree(&names, 4).draw(10);
        assert_eq!(drawn.lines().count(), 13);
        assert!(drawn.ends_with("└── … 490 more\n(cut: 490 more entries above depth 4)\n"), "{drawn}");
    }
}
