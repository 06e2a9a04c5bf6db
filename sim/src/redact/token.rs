//! The form of a JSON Web Token, whole or in part, as the search for leaked secrets knows it.

/// Whether `text` holds a JSON Web Token, or its first part and the beginning of its second: two
/// parts that begin like encoded JSON, joined by a point, each with or without the padding of
/// base64. A lone encoded object, such as the claims of a challenge, is no secret.
pub fn looks_like_token(text: &str) -> bool {
    text.match_indices("eyJ").any(|(at, _)| {
        let rest = &text[at..];
        let header = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/')))
            .unwrap_or(rest.len());
        let mut after = &rest[header..];
        while let Some(more) = ["=", "%3D", "%3d"]
            .iter()
            .find_map(|pad| after.strip_prefix(pad))
        {
            after = more;
        }
        after.starts_with(".eyJ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_encoded_claims() {
        for token in [
            "Bearer eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.c2ln",
            "{\"t\":\"eyJhbGciOiJub25lIn0.eyJvaWQiOi",
            "eyJhbGciOiJub25lIn0=.eyJvaWQiOiJ4In0=.c2ln",
            "a=eyJhbGciOiJub25lIn0%3D%3D.eyJvaWQiOiJ4In0%3D.c2ln",
        ] {
            assert!(looks_like_token(token), "{token}");
        }
        for other in [
            "az login --claims-challenge eyJhY2Nlc3NfdG9rZW4iOnt9fQ==",
            "keyJunk. eyJ",
        ] {
            assert!(!looks_like_token(other), "{other}");
        }
    }
}
