//! A file of Java or Kotlin as it comes about.

use std::collections::BTreeSet;

use super::docs::wrap;

/// How long a comment's lines are.
const WIDTH: usize = 110;

/// Imports and text.
#[derive(Default)]
pub struct File {
    /// What it imports, by full names.
    pub imports: BTreeSet<&'static str>,
    /// What comes after them.
    pub body: String,
}

impl File {
    /// Adds a line, indented by so many steps.
    pub fn line(&mut self, steps: usize, text: &str) {
        if !text.is_empty() {
            self.body.extend(std::iter::repeat_n("    ", steps));
        }
        self.body.push_str(text);
        self.body.push('\n');
    }

    /// Adds lines that are indented already.
    pub fn lines(&mut self, text: &str) {
        self.body.push_str(text);
    }

    /// Adds a comment of these paragraphs, whose texts must be fit for it; `mark` goes before all but the first.
    pub fn comment(&mut self, steps: usize, paragraphs: &[String], mark: &str) {
        let mut lines = Vec::new();
        for (index, paragraph) in paragraphs.iter().enumerate() {
            // A tag stands by itself.
            let is_first = index == 0 || paragraph.starts_with('@');
            if !is_first {
                lines.push(String::new());
            }
            let mark = if is_first { "" } else { mark };
            lines.extend(wrap(&format!("{mark}{paragraph}"), WIDTH));
        }
        if let [line] = lines.as_slice() {
            self.line(steps, &format!("/** {line} */"));
        } else if !lines.is_empty() {
            self.line(steps, "/**");
            for line in &lines {
                self.line(steps, format!(" * {line}").trim_end());
            }
            self.line(steps, " */");
        }
    }
}
