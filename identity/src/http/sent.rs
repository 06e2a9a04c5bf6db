//! The time at which a request was sent, from which lifetimes count.

use jiff::Timestamp;

use crate::jwt;

/// The time at which a request was sent, on the wall clock as it is set at the receipt of the
/// answer.
///
/// It is a range if the wall clock advanced further than the monotonic clock during the exchange:
/// then either the wall clock was set, or the host slept, and the two cannot be distinguished.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    /// The wall clock at the sending; `latest` if the clock has been set back since.
    earliest: Timestamp,
    /// The wall clock at the receipt, less the monotonic time since the sending.
    latest: Timestamp,
}

impl Sent {
    /// `by_wall` is the wall clock at the sending, `by_monotonic` the wall clock at the receipt
    /// less the monotonic time since the sending.
    pub(super) fn new(by_wall: Timestamp, by_monotonic: Timestamp) -> Self {
        // Lifetimes are whole seconds: rounding down makes them end early rather than late.
        let second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self {
            earliest: second(by_wall.min(by_monotonic)),
            latest: second(by_monotonic),
        }
    }

    /// A request sent at a time that is certain.
    #[cfg(test)]
    pub(crate) fn at(at: Timestamp) -> Self {
        Self::new(at, at)
    }

    /// Returns the time from which a life of `expires_in` seconds counts. If that time is
    /// uncertain, the `exp` claim of `token` decides within the range; without one, the earliest
    /// time is taken, so that the token is never used after its end (PR-20).
    pub(crate) fn start_of_life(self, token: &str, expires_in: Option<i64>) -> Timestamp {
        #[derive(serde::Deserialize)]
        struct Claims {
            exp: i64,
        }
        let Self { earliest, latest } = self;
        if earliest == latest {
            return latest;
        }
        let claims = expires_in.zip(jwt::claims::<Claims>(token));
        let by_claims = claims.and_then(|(life, claims)| {
            let sent = claims.exp.checked_sub(life)?;
            Timestamp::from_second(sent).ok()
        });
        by_claims.map_or(earliest, |sent| sent.clamp(earliest, latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_20_the_exp_claim_decides_where_the_sending_is_uncertain() {
        use base64::Engine as _;
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = |exp: i64| {
            let claims = format!(r#"{{"exp":{exp}}}"#);
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            format!("e30.{claims}.c2ln")
        };
        // The wall clock advanced by an hour, the monotonic clock not at all.
        let leapt = Sent::new(at(0), at(3600));
        for (exp, sent) in [(600, 0), (4200, 3600), (1000, 400), (0, 0), (99_999, 3600)] {
            assert_eq!(
                leapt.start_of_life(&token(exp), Some(600)),
                at(sent),
                "exp {exp}"
            );
        }
        assert_eq!(leapt.start_of_life("opaque", Some(600)), at(0));
        assert_eq!(leapt.start_of_life(&token(4200), None), at(0));
        // The wall clock was set back: the monotonic time is certain.
        let back = Sent::new(at(7200), at(3600));
        assert_eq!(back.start_of_life(&token(600), Some(600)), at(3600));
    }
}
