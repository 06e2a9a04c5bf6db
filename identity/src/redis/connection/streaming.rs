//! The provider as the `redis` crate's own connections know one.

use std::pin::Pin;

use futures_util::{Stream, stream};
use redis::{
    ErrorKind, RedisError, RedisResult,
    auth::{BasicAuth, StreamingCredentialsProvider},
};

use crate::redis::EntraIdCredentialsProvider;

/// Each subscription begins with the credentials at hand, once, and goes on with each change.
/// Errors are items, too, and end nothing.
///
/// For connections that the `redis` crate makes and re-authenticates by itself, such as its
/// `MultiplexedConnection` with `set_credentials_provider`. What that cannot promise, whatever the
/// provider does:
/// - it sends `AUTH` in the middle of a transaction made by hand (RA-04, RA-05), so use atomic
///   pipelines only;
/// - it sends `AUTH` behind whatever is under way, and some servers leave a refused one without an
///   answer there (RA-09);
/// - one `AUTH` that is refused, or not answered within the response timeout (500 ms by default),
///   ends re-authentication of that connection for good (RA-14);
/// - each connection sends its first `AUTH` twice (RA-15).
///
/// [`EntraConnection`](super::EntraConnection) keeps these promises.
impl StreamingCredentialsProvider for EntraIdCredentialsProvider {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send + 'static>> {
        let subscription = Self::subscribe(self);
        Box::pin(stream::unfold(subscription, async |mut subscription| {
            let change = subscription.next().await?;
            let item = match change {
                Ok(credentials) => Ok(BasicAuth::new(
                    credentials.user_name().to_owned(),
                    credentials.password().to_owned(),
                )),
                Err(error) => Err(RedisError::from((
                    ErrorKind::AuthenticationFailed,
                    "there is no new token for Redis",
                    error.to_string(),
                ))),
            };
            Some((item, subscription))
        }))
    }
}
