//! The report as a picture: PDs as boxes, an arrow for each region that one writes and another reads.

use crate::flows::{Access, Flows};
use std::f64::consts::TAU;
use std::fmt::Write;

const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 960.0;
const BOX: (f64, f64) = (120.0, 34.0);

/// Writer, reader, region.
fn arrows(flows: &Flows) -> Vec<(&str, &str, &str)> {
    let shared = flows.regions.iter().filter(|(_, access)| !access.device);
    shared.flat_map(|(region, access)| between(region, access)).collect()
}

fn between<'a>(region: &'a str, access: &'a Access) -> Vec<(&'a str, &'a str, &'a str)> {
    let pairs = access.write.iter().flat_map(|writer| access.read.iter().map(move |reader| (writer, reader)));
    pairs.filter(|(writer, reader)| writer != reader).map(|(w, r)| (w.as_str(), r.as_str(), region)).collect()
}

/// Graphviz's language.
pub fn dot(flows: &Flows) -> String {
    let mut out =
        String::from("digraph flows {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for pd in &flows.pds {
        let _ = writeln!(out, "  \"{pd}\";");
    }
    for (region, access) in flows.regions.iter().filter(|(_, access)| access.device) {
        let _ = writeln!(out, "  \"{region}\" [shape=octagon];");
        for pd in &access.write {
            let _ = writeln!(out, "  \"{pd}\" -> \"{region}\" [dir=both];");
        }
    }
    for (from, to, region) in arrows(flows) {
        let _ = writeln!(out, "  \"{from}\" -> \"{to}\" [label=\"{region}\"];");
    }
    for call in &flows.call {
        let _ = writeln!(out, "  \"{}\" -> \"{}\" [style=dashed, dir=both];", call.from, call.to);
    }
    out + "}\n"
}

/// A picture that needs no other program: PDs on an ellipse, regions as curved arrows, calls dashed.
pub fn svg(flows: &Flows) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>\n"
    );
    for (from, to, region) in arrows(flows) {
        curve(&mut out, flows, (from, to), region, "stroke=\"#456\"");
    }
    for call in &flows.call {
        let title = format!("{} calls {}", call.from, call.to);
        curve(&mut out, flows, (&call.from, &call.to), &title, "stroke=\"#b60\" stroke-dasharray=\"5 4\"");
    }
    for pd in &flows.pds {
        let (x, y) = place(flows, pd);
        let _ = writeln!(
            out,
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{}\" height=\"{}\" rx=\"5\" fill=\"#eef\" stroke=\"#224\"/>\
             <text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            x - BOX.0 / 2.0,
            y - BOX.1 / 2.0,
            BOX.0,
            BOX.1,
            y + 5.0,
            escaped(pd)
        );
    }
    out + "</svg>\n"
}

fn place(flows: &Flows, pd: &str) -> (f64, f64) {
    let index = flows.pds.iter().position(|name| name == pd).unwrap_or(0) as f64;
    let angle = TAU * index / flows.pds.len().max(1) as f64 - TAU / 4.0;
    (WIDTH / 2.0 + angle.cos() * (WIDTH / 2.0 - 90.0), HEIGHT / 2.0 + angle.sin() * (HEIGHT / 2.0 - 40.0))
}

/// From edge to edge of two boxes, bent to the left so that the two directions stay apart.
fn curve(out: &mut String, flows: &Flows, (from, to): (&str, &str), title: &str, style: &str) {
    let ((x1, y1), (x2, y2)) = (place(flows, from), place(flows, to));
    let length = (x2 - x1).hypot(y2 - y1).max(1.0);
    let (ux, uy) = ((x2 - x1) / length, (y2 - y1) / length);
    let gap = 0.5 * (BOX.0 * ux).hypot(BOX.1 * uy) + 4.0;
    let (mx, my) = ((x1 + x2) / 2.0 + uy * length * 0.12, (y1 + y2) / 2.0 - ux * length * 0.12);
    let (sx, sy, ex, ey) = (x1 + ux * gap, y1 + uy * gap, x2 - ux * gap, y2 - uy * gap);
    let _ = writeln!(
        out,
        "<path d=\"M{sx:.0} {sy:.0} Q{mx:.0} {my:.0} {ex:.0} {ey:.0}\" fill=\"none\" {style} marker-end=\"url(#end)\">\
         <title>{}</title></path>",
        escaped(title)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
