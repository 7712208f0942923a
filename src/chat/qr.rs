//! An address as a QR code: a picture that a page shows without asking for another file.

use base64::{Engine, prelude::BASE64_STANDARD};
use qrcode::{EcLevel, QrCode, render::svg};

use crate::error::{Error, Result};

/// The fewest units of the picture to a side; pages draw it as large as they like.
const SIDE: u32 = 200;

/// The address of a picture (SVG) of that text, with the light border that cameras need.
pub(super) fn picture(text: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.map_err(|error| Error::internal(error.to_string()))?;
    let mut drawing = code.render::<svg::Color<'_>>();
    let svg = drawing.min_dimensions(SIDE, SIDE).build();
    let svg = BASE64_STANDARD.encode(svg);
    Ok(format!("data:image/svg+xml;base64,{svg}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_fits() {
        // 64 letters of three bytes each, percent-encoded.
        let name = "%E6%BC%A2".repeat(64);
        let url = format!(
            "otpauth://totp/Parlance:{name}?secret={}&issuer=Parlance",
            "A".repeat(32)
        );
        let picture = picture(&url).expect("it fits");
        let svg = picture.strip_prefix("data:image/svg+xml;base64,");
        let svg = BASE64_STANDARD.decode(svg.expect("a picture"));
        let svg = String::from_utf8(svg.expect("base 64")).expect("text");
        assert!(svg.starts_with("<?xml") && svg.ends_with("</svg>"));
        assert!(!svg.contains("script"));
    }
}
