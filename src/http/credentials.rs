//! The token of a request, read in one way for every endpoint.

/// The token that a request shows: the value of a parameter named `token`, or else that of the Authorization
/// header.
///
/// The parameter counts first, because the header may be meant for a proxy in front of the server.
pub fn token(parameter: Option<&str>, authorization: Option<&str>) -> Option<String> {
    let parameter = parameter.filter(|token| !token.is_empty());
    let token = parameter.or_else(|| authorization.and_then(bearer));
    token.map(str::to_owned)
}

/// The token of an Authorization header: after the scheme `Bearer`, whose case does not matter (RFC 9110), or
/// alone. With any other scheme the header shows no token.
fn bearer(authorization: &str) -> Option<&str> {
    let value = authorization.trim();
    let (scheme, token) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let token = token.trim_start();
    let is_bearer = scheme.eq_ignore_ascii_case("Bearer");
    match (is_bearer, token.is_empty()) {
        (true, false) => Some(token),
        (false, true) => Some(scheme).filter(|token| !token.is_empty()),
        (true, true) | (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case_or_none() {
        for header in [
            "Bearer abc",
            "bearer abc",
            "BEARER   abc",
            " bEaReR\tabc ",
            "abc",
            "  abc ",
        ] {
            let read = token(None, Some(header));
            assert_eq!(read.as_deref(), Some("abc"), "{header:?}");
        }
        for header in [
            "",
            "  ",
            "Bearer",
            "bearer ",
            "Basic YWJj",
            "basic abc",
            "Digest username=\"abc\"",
            "Bearerabc abc",
        ] {
            assert_eq!(token(None, Some(header)), None, "{header:?}");
        }
    }

    #[test]
    fn a_parameter_counts_before_the_header() {
        let both = token(Some("abc"), Some("Bearer other"));
        assert_eq!(both.as_deref(), Some("abc"));
        let empty = token(Some(""), Some("Bearer abc"));
        assert_eq!(empty.as_deref(), Some("abc"));
        assert_eq!(token(Some(""), None), None);
    }
}
