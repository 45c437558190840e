// SPDX-License-Identifier: MIT
//! The losses of a run as a picture (SVG).

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::progress::Record;

/// Points of a curve: more are averaged.
const POINTS: usize = 600;

/// Loss over tokens: of the training batches, averaged, and of held-out data.
pub fn losses(records: &[Record]) -> Result<String> {
    let mut svg = String::new();
    draw(records, &mut svg).map_err(|error| anyhow!("cannot draw the losses: {error}"))?;
    Ok(svg)
}

fn draw(records: &[Record], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (900, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let curve: Vec<(f64, f64)> = records.chunks(records.len().div_ceil(POINTS).max(1)).map(mean).collect();
    let held: Vec<(f64, f64)> = records.iter().filter_map(|r| Some((r.tokens as f64, r.held_out?))).collect();
    let all = || curve.iter().chain(&held);
    let right = all().map(|point| point.0).fold(1.0, f64::max);
    let top = all().map(|point| point.1).fold(0.1, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..right, 0.0..top * 1.05)?;
    chart.configure_mesh().x_desc("tokens").y_desc("loss (nats per token)").draw()?;
    chart.draw_series(LineSeries::new(curve, &BLUE))?.label("training").legend(|(x, y)| key(x, y, BLUE));
    if !held.is_empty() {
        chart.draw_series(LineSeries::new(held, &RED))?.label("held out").legend(|(x, y)| key(x, y, RED));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
    root.present()?;
    Ok(())
}

fn key(x: i32, y: i32, colour: RGBColor) -> PathElement<(i32, i32)> {
    PathElement::new(vec![(x, y), (x + 20, y)], colour)
}

fn mean(records: &[Record]) -> (f64, f64) {
    let count = records.len().max(1) as f64;
    let tokens: f64 = records.iter().map(|record| record.tokens as f64).sum();
    (tokens / count, records.iter().map(|record| record.loss).sum::<f64>() / count)
}
