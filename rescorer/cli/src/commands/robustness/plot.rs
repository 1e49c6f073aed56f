use anyhow::anyhow;
use plotters::prelude::*;

/// Width and height of a plot.
const SIZE: (u32, u32) = (620, 380);

/// Colours that people with any colour vision can tell apart (Okabe and Ito 2008).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 0, 0),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(204, 121, 167),
    RGBColor(160, 150, 0),
];

/// A line with a band around it.
pub struct Line {
    /// x, y, and the ends of the band.
    pub points: Vec<(f64, f64, f64, f64)>,
    /// Not one of those compared: grey and dashed.
    pub is_reference: bool,
}

/// The colour of the nth line, as CSS writes it.
pub fn colour(number: usize) -> String {
    let RGBColor(r, g, b) = COLOURS[number % COLOURS.len()];
    format!("rgb({r},{g},{b})")
}

/// Draws lines with their bands as an SVG picture.
pub fn draw(caption: &str, y_name: &str, lines: &[Line]) -> anyhow::Result<String> {
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        paint(&area, caption, y_name, lines).map_err(|e| anyhow!("plot {caption}: {e}"))?;
        area.present().map_err(|e| anyhow!("plot {caption}: {e}"))?;
    }
    Ok(picture)
}

fn paint<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    caption: &str,
    y_name: &str,
    lines: &[Line],
) -> Result<(), Box<dyn std::error::Error>>
where
    DB::ErrorType: 'static,
{
    area.fill(&WHITE)?;
    let all = || lines.iter().flat_map(|line| &line.points);
    let right = all().map(|point| point.0).fold(0.0, f64::max);
    let low = all().map(|point| point.2.min(point.1)).fold(f64::INFINITY, f64::min);
    let high = all().map(|point| point.3.max(point.1)).fold(f64::NEG_INFINITY, f64::max);
    let room = ((high - low) * 0.06).max(0.05);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..(right * 1.04).max(0.01), (low - room)..(high + room))?;
    chart
        .configure_mesh()
        .x_desc("rate of replacement")
        .y_desc(y_name)
        .light_line_style(WHITE)
        .label_style(("sans-serif", 12))
        .axis_desc_style(("sans-serif", 13))
        .draw()?;
    for (number, line) in lines.iter().enumerate() {
        let points = || line.points.iter().map(|point| (point.0, point.1));
        if line.is_reference {
            let grey = RGBColor(120, 120, 120);
            chart.draw_series(DashedLineSeries::new(points(), 4, 4, grey.stroke_width(1)))?;
            continue;
        }
        let colour = COLOURS[number % COLOURS.len()];
        let lower = line.points.iter().map(|point| (point.0, point.2));
        let band: Vec<(f64, f64)> =
            lower.chain(line.points.iter().rev().map(|point| (point.0, point.3))).collect();
        chart.draw_series(std::iter::once(Polygon::new(band, colour.mix(0.10))))?;
        chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    Ok(())
}
