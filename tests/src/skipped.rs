use std::io::Write;

/// Says on standard error that a test had nothing to run on.
///
/// Written past the test harness, which would hide what a passing test prints.
pub fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}
