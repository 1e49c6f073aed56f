//! Formats by the names that users give them.

use std::str::FromStr;

use crate::{Error, Format, OutputFormat};

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| Error::FormatName { name: name.to_owned() })
    }
}

impl FromStr for OutputFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == name);
        found.ok_or_else(|| Error::OutputFormatName { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_formats_go_both_ways() {
        for &format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
        assert_eq!(
            "ctm".parse::<Format>().unwrap_err().to_string(),
            format!("there is no format \"ctm\"; the formats are {}", Format::names())
        );
    }

    #[test]
    fn names_of_output_formats_go_both_ways() {
        for &format in OutputFormat::ALL {
            assert_eq!(format.to_string().parse::<OutputFormat>().unwrap(), format);
        }
        assert_eq!(
            "xml".parse::<OutputFormat>().unwrap_err().to_string(),
            format!("there is no output format \"xml\"; the output formats are {}", OutputFormat::names())
        );
    }
}
