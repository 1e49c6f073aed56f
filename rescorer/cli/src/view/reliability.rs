use anyhow::anyhow;
use plotters::prelude::*;
use rescorer::evaluation::Reliability;

const SIZE: (u32, u32) = (420, 400);
/// Largest radius of a circle.
const LARGEST: f64 = 16.0;

/// A reliability diagram as an SVG picture: accuracy over mean confidence for every bin, its circle as large as the share of
/// confidences in it.
pub fn reliability(caption: &str, found: &Reliability) -> anyhow::Result<String> {
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        paint(&area, caption, found).map_err(|e| anyhow!("plot {caption}: {e}"))?;
        area.present().map_err(|e| anyhow!("plot {caption}: {e}"))?;
    }
    Ok(picture)
}

fn paint<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    caption: &str,
    found: &Reliability,
) -> Result<(), Box<dyn std::error::Error>>
where
    DB::ErrorType: 'static,
{
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc("confidence")
        .y_desc("share that was correct")
        .light_line_style(WHITE)
        .label_style(("sans-serif", 12))
        .axis_desc_style(("sans-serif", 13))
        .draw()?;
    let grey = RGBColor(120, 120, 120);
    chart.draw_series(DashedLineSeries::new([(0.0, 0.0), (1.0, 1.0)], 4, 4, grey.stroke_width(1)))?;
    let blue = RGBColor(0, 114, 178);
    let points = || found.bins.iter().map(|bin| (bin.confidence, bin.accuracy));
    chart.draw_series(LineSeries::new(points(), blue.stroke_width(2)))?;
    let most = found.bins.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    chart.draw_series(points().zip(&found.bins).map(|(point, bin)| {
        let radius = (LARGEST * (bin.count as f64 / most).sqrt()).max(2.0);
        Circle::new(point, radius, blue.mix(0.5).filled())
    }))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_is_a_circle() {
        let found = Reliability::new(&[(0.15, false), (0.75, true), (0.72, false), (0.95, true)]).unwrap();
        let picture = reliability("words", &found).unwrap();
        assert_eq!(picture.matches("<circle").count(), 3, "{picture}");
        assert!(picture.starts_with("<svg") && picture.contains("words"), "{picture}");
    }
}
