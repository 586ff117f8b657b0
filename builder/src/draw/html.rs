//! A page: totals, the picture, and a table of what needs what. Nothing is loaded from elsewhere, and no script runs.

use super::{Drawing, escaped};
use std::fmt::Write;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:100%}
h1{font-size:1.3rem}
.picture{overflow:auto;border:1px solid #8c959f;border-radius:6px;max-height:85vh}
table{border-collapse:collapse;margin-top:1.5rem;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #8c959f66;overflow-wrap:anywhere}
td:nth-child(2),th{white-space:nowrap}
td:first-child{font-family:ui-monospace,monospace}
@media (max-width:640px){thead{display:none}tr{display:block;padding:.5rem 0}td{display:block;border:0;padding:.1rem 0}
td:last-child{border-bottom:1px solid #8c959f66}td[data-as]:before{content:attr(data-as) ': ';opacity:.7}}
";

/// The page. `picture` is the SVG, or nothing where it would be too large.
pub fn html(drawing: &Drawing, picture: Option<&str>, title: &str) -> String {
    let (title, totals) = (escaped(title), escaped(&drawing.totals()));
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n<p>{totals}</p>\n"
    );
    match picture {
        Some(picture) => {
            let _ = writeln!(text, "<div class=\"picture\">\n{picture}</div>");
        }
        None => text += "<p>The picture would be too large to look at: name a step with --focus.</p>\n",
    }
    text += "<table>\n<thead><tr><th>name<th>kind<th>what it is<th>needs<th>needed by</thead>\n<tbody>\n";
    let names = |numbers: &mut dyn Iterator<Item = usize>| {
        numbers.map(|other| escaped(&drawing.nodes[other].name)).collect::<Vec<_>>().join(", ")
    };
    for (number, node) in drawing.nodes.iter().enumerate() {
        let _ = writeln!(
            text,
            "<tr><td>{}<td data-as=\"kind\">{}<td data-as=\"what it is\">{}<td data-as=\"needs\">{}<td data-as=\"needed by\">{}",
            escaped(&node.name),
            node.kind.word(),
            escaped(&node.about),
            names(&mut drawing.needs(number)),
            names(&mut drawing.needed_by(number))
        );
    }
    text + "</tbody>\n</table>\n</html>\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawing;
    use super::*;

    #[test]
    fn everything_is_in_the_table() {
        let text = html(&drawing(), None, "x");
        assert!(text.contains("<td>last<td data-as=\"kind\">target<"), "{text}");
        assert!(text.contains("data-as=\"needs\">gcc, one<"), "{text}");
        assert!(!text.contains("<script") && !text.contains("http"), "{text}");
    }
}
