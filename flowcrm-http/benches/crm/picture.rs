//! The figures as a picture: bars of calls per second, on a scale of powers of ten.

use std::fmt::Write as _;

use crate::report::{Line, Measured};

const LEFT: f64 = 150.0;
const WIDTH: f64 = 600.0;
const NUMBERS: f64 = 110.0;
const BAR: f64 = 9.0;
const GROUP: f64 = 42.0;
const TOP: f64 = 92.0;

/// Between the name of an engine and its bars, and between its scale and the next name.
const ABOVE: f64 = 26.0;
const BELOW: f64 = 46.0;

/// Colours that can be told apart on white and on black, also by those who see fewer.
const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 16px; font-weight: 600; }
  .small { font-size: 11px; fill: #57606a; }
  .grid { stroke: #d0d7de; }
  .raw { fill: #9aa4ae; } .rust { fill: #d9730d; } .http { fill: #2f6fde; }
  .few { stroke: #24292f; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .small { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .raw { fill: #6e7681; } .rust { fill: #f0883e; } .http { fill: #58a6ff; }
    .few { stroke: #e6edf3; }
  }
";

/// Draws the lines of the most leads in one organization; ticks show the same with the fewest.
pub(crate) fn of(lines: &[Line], sizes: &[usize]) -> String {
    let (few, many) = (sizes[0], sizes[sizes.len() - 1]);
    let drawn = |line: &&Line| line.leads == many && line.organizations == 1 && line.unit.ends_with("/s");
    let chosen: Vec<&Line> = lines.iter().filter(drawn).collect();
    let same_with_few = |line: &Line| {
        let is_same = |other: &&Line| {
            (other.engine, other.measure, other.organizations, other.leads)
                == (line.engine, line.measure, line.organizations, few)
        };
        lines.iter().find(is_same).filter(|_| few < many)
    };
    let mut engines: Vec<&str> = chosen.iter().map(|line| line.engine).collect();
    engines.dedup();
    let most = chosen.iter().flat_map(|line| values(line)).flatten().fold(10.0, f64::max);
    let scale = Scale { decades: most.log10().ceil() };

    let mut body = String::new();
    let mut y = TOP;
    for engine in engines {
        let name = if engine == "sqlite" { "SQLite" } else { "Postgres" };
        let of_engine: Vec<&&Line> = chosen.iter().filter(|line| line.engine == engine).collect();
        text(&mut body, 16.0, y, "title", name);
        y += ABOVE;
        grid(&mut body, &scale, y, y + GROUP * float(of_engine.len()));
        for line in of_engine {
            group(&mut body, &scale, y, line, same_with_few(line));
            y += GROUP;
        }
        y += BELOW;
    }
    let (width, ticks) = (LEFT + WIDTH + NUMBERS, if few < many { tick_note(few) } else { String::new() });
    let heading =
        format!("Calls per second (rows per second for import and export), {} leads", grouped(float(many)));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" role=\"img\" aria-label=\"{heading}\">\n\
         <style>{STYLE}</style>\n\
         <text x=\"16\" y=\"26\" class=\"title\">{heading}</text>\n{}{ticks}{body}</svg>\n",
        legend()
    )
}

/// Powers of ten from 1 on.
struct Scale {
    decades: f64,
}

impl Scale {
    fn length(&self, value: f64) -> f64 {
        (value.max(1.0).log10() / self.decades * WIDTH).round()
    }
}

/// In the order of the bars: plain SQL, Rust, HTTP.
fn values(line: &Line) -> [Option<f64>; 3] {
    let of = |door: Option<Measured>| door.map(|door| door.value);
    [line.raw, of(line.rust), of(line.http)]
}

fn text(body: &mut String, x: f64, y: f64, class: &str, text: &str) {
    writeln!(body, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{text}</text>").expect("memory is enough");
}

fn legend() -> String {
    let mut legend = String::new();
    for (x, class, name) in
        [(16.0, "raw", "plain SQL"), (116.0, "rust", "Rust, in process"), (256.0, "http", "HTTP")]
    {
        writeln!(legend, "<rect x=\"{x}\" y=\"42\" width=\"12\" height=\"12\" rx=\"2\" class=\"{class}\"/>")
            .expect("memory is enough");
        text(&mut legend, x + 18.0, 52.0, "", name);
    }
    legend
}

fn tick_note(few: usize) -> String {
    let mut note = "<path d=\"M336 41v14\" class=\"few\"/>\n".to_owned();
    text(&mut note, 344.0, 52.0, "", &format!("the same with {} leads", grouped(float(few))));
    note
}

fn grid(body: &mut String, scale: &Scale, top: f64, bottom: f64) {
    let mut value = 1.0;
    while value <= 10_f64.powf(scale.decades) {
        let x = LEFT + scale.length(value);
        writeln!(body, "<path d=\"M{x} {top}V{bottom}\" class=\"grid\"/>").expect("memory is enough");
        writeln!(
            body,
            "<text x=\"{x}\" y=\"{}\" class=\"small\" text-anchor=\"middle\">{}</text>",
            bottom + 14.0,
            grouped(value)
        )
        .expect("memory is enough");
        value *= 10.0;
    }
}

/// The bars of one line.
fn group(body: &mut String, scale: &Scale, y: f64, line: &Line, few: Option<&Line>) {
    writeln!(
        body,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        LEFT - 10.0,
        y + GROUP / 2.0 + 4.0,
        line.measure
    )
    .expect("memory is enough");
    let few = few.map(values).unwrap_or_default();
    let ratios = [None, line.rust_of_raw(), line.http_of_raw()];
    let mut bar_y = y + (GROUP - 3.0 * BAR - 4.0) / 2.0;
    for (place, class) in ["raw", "rust", "http"].into_iter().enumerate() {
        if let Some(value) = values(line)[place] {
            let length = scale.length(value);
            writeln!(
                body,
                "<rect x=\"{LEFT}\" y=\"{bar_y}\" width=\"{length}\" height=\"{BAR}\" rx=\"1.5\" class=\"{class}\"/>"
            )
            .expect("memory is enough");
            let ratio = ratios[place].map(|ratio| format!(" ({ratio:.2}x)")).unwrap_or_default();
            text(body, LEFT + WIDTH + 10.0, bar_y + BAR, "small", &format!("{}{ratio}", grouped(value)));
        }
        if let Some(value) = few[place] {
            let x = LEFT + scale.length(value);
            writeln!(body, "<path d=\"M{x} {}v{}\" class=\"few\"/>", bar_y - 1.0, BAR + 2.0)
                .expect("memory is enough");
        }
        bar_y += BAR + 2.0;
    }
}

/// A number with its thousands apart, and a decimal where it is small.
fn grouped(number: f64) -> String {
    if number < 100.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of leads or lines, to be drawn or written.
#[expect(clippy::cast_precision_loss, reason = "a picture has no room for numbers that large")]
const fn float(number: usize) -> f64 {
    number as f64
}
