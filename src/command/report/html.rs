//! The page as HTML that stands alone: no script, nothing fetched, every text escaped.

use super::page::{Block, Line, Page, Span, Style};

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;max-width:62rem;margin:1.5rem auto;\
padding:0 1rem;color:#1c2128;background:#fff}
h1{font-size:1.5rem;margin:0 0 .6rem}
h2{font-size:1.12rem;margin:1.8rem 0 .5rem;padding-bottom:.2rem;border-bottom:1px solid #d0d7de}
h3{font-size:1rem;margin:1.1rem 0 .2rem}
p{margin:.35rem 0}
ol{margin:.3rem 0 .6rem;padding-left:1.6rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #e6e9ed}
th{font-weight:600;color:#57606a;white-space:nowrap}
td{overflow-wrap:anywhere;min-width:4.5rem}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:#f1f3f5;border-radius:3px;\
padding:.05rem .25rem;overflow-wrap:anywhere}
.bad{color:#b3261e;font-weight:600}.warn{color:#8a5300;font-weight:600}.good{color:#1a6b34}.dim{color:#57606a}
footer{margin-top:2rem;color:#57606a;font-size:.85rem}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}h2{border-color:#30363d}\
th,.dim,footer{color:#9aa4af}th,td{border-color:#21262d}code{background:#1f242b}\
.bad{color:#ff8a80}.warn{color:#f0b35e}.good{color:#6fd08c}}
@media print{body{margin:0;max-width:none;font-size:11px}h2,h3{break-after:avoid}tr,li{break-inside:avoid}}
";

/// The page's text.
pub fn text(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    for lead in &page.lead {
        out.push_str(&format!("<p>{}</p>\n", line(lead)));
    }
    for section in &page.sections {
        out.push_str(&format!(
            "<section>\n<h2>{}</h2>\n",
            escaped(&section.title)
        ));
        for block in &section.blocks {
            put(&mut out, block);
        }
        out.push_str("</section>\n");
    }
    out.push_str(&format!(
        "</main>\n<footer>{}</footer>\n</body>\n</html>\n",
        escaped(&page.foot)
    ));
    out
}

fn put(out: &mut String, block: &Block) {
    match block {
        Block::Line(text) => out.push_str(&format!("<p>{}</p>\n", line(text))),
        Block::Item { head, text, steps } => {
            out.push_str(&format!("<h3>{}</h3>\n", line(head)));
            for sentence in text {
                out.push_str(&format!("<p>{}</p>\n", line(sentence)));
            }
            if !steps.is_empty() {
                out.push_str("<ol>\n");
                for step in steps {
                    out.push_str(&format!("<li>{}</li>\n", escaped(step)));
                }
                out.push_str("</ol>\n");
            }
        }
        Block::Table { head, rows } => {
            out.push_str("<div class=\"wide\"><table>\n<thead><tr>");
            for name in head {
                out.push_str(&format!("<th scope=\"col\">{}</th>", escaped(name)));
            }
            out.push_str("</tr></thead>\n<tbody>\n");
            for row in rows {
                out.push_str("<tr>");
                for cell in row {
                    out.push_str(&format!("<td>{}</td>", line(cell)));
                }
                out.push_str("</tr>\n");
            }
            out.push_str("</tbody>\n</table></div>\n");
        }
    }
}

fn line(line: &Line) -> String {
    line.0.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    let text = escaped(&span.text);
    match span.style {
        Style::Plain => text,
        Style::Strong => format!("<strong>{text}</strong>"),
        Style::Code => format!("<code>{text}</code>"),
        Style::Bad => format!("<span class=\"bad\">{text}</span>"),
        Style::Warn => format!("<span class=\"warn\">{text}</span>"),
        Style::Good => format!("<span class=\"good\">{text}</span>"),
        Style::Dim => format!("<span class=\"dim\">{text}</span>"),
    }
}

/// Text that stays text wherever it stands.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
