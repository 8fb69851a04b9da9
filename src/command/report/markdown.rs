//! The page as Markdown.

use super::page::{Block, Line, Page, Span, Style};

/// The page's text.
pub fn text(page: &Page) -> String {
    let mut out = format!("# {}\n", escaped(&page.title));
    for lead in &page.lead {
        out.push_str(&format!("\n{}\n", line(lead)));
    }
    for section in &page.sections {
        out.push_str(&format!("\n## {}\n", escaped(&section.title)));
        for block in &section.blocks {
            out.push('\n');
            put(&mut out, block);
        }
    }
    out.push_str(&format!("\n---\n\n{}\n", escaped(&page.foot)));
    out
}

fn put(out: &mut String, block: &Block) {
    match block {
        Block::Line(text) => out.push_str(&format!("{}\n", line(text))),
        Block::Item { head, text, steps } => {
            out.push_str(&format!("### {}\n", line(head)));
            for sentence in text {
                out.push_str(&format!("\n{}\n", line(sentence)));
            }
            if !steps.is_empty() {
                out.push('\n');
            }
            for (n, step) in steps.iter().enumerate() {
                out.push_str(&format!("{}. {}\n", n + 1, escaped(step)));
            }
        }
        Block::Table { head, rows } => {
            out.push_str(&format!("| {} |\n", head.join(" | ")));
            out.push_str(&format!("|{}\n", " --- |".repeat(head.len())));
            for row in rows {
                let cells: Vec<String> = row.iter().map(line).collect();
                out.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
        }
    }
}

fn line(line: &Line) -> String {
    line.0.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    let (before, inner) = (span.text.trim_start(), span.text.trim());
    let lead = &span.text[..span.text.len() - before.len()];
    let tail = &before[inner.len()..];
    match span.style {
        _ if inner.is_empty() => escaped(&span.text),
        Style::Plain | Style::Dim | Style::Good => escaped(&span.text),
        Style::Strong | Style::Bad | Style::Warn => format!("{lead}**{}**{tail}", escaped(inner)),
        Style::Code => format!("{lead}{}{tail}", code(inner)),
    }
}

/// A code span that holds whatever stands in the text.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    if longest == 0 {
        format!("{fence}{text}{fence}")
    } else {
        format!("{fence} {text} {fence}")
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text that stays text: nothing in it is a sign of Markdown or HTML.
fn escaped(text: &str) -> String {
    let chars: Vec<char> = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let word = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(|c| c.is_alphanumeric())
    };
    let mut out = String::with_capacity(text.len());
    for (n, c) in chars.iter().enumerate() {
        let sign = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' => true,
            // within a word it is a letter
            '_' => !(word(n.checked_sub(1)) && word(Some(n + 1))),
            '#' | '+' | '-' | '=' => n == 0,
            _ => false,
        };
        if sign {
            out.push('\\');
        }
        out.push(*c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_stays_text() {
        assert_eq!(
            escaped("a_b _c_ *d* <b>|\n# x"),
            "a_b \\_c\\_ \\*d\\* \\<b\\>\\| # x"
        );
        assert_eq!(escaped("# no heading"), "\\# no heading");
        assert_eq!(code("A|B"), "`A\\|B`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        let bold = Line::of("x ").with(Style::Bad, "open ").plain("y");
        assert_eq!(line(&bold), "x **open** y");
    }
}
