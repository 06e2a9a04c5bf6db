//! The provider as a credentials provider of the `redis` crate.

use std::pin::Pin;

use futures_util::{Stream, stream};
use redis::{
    ErrorKind, RedisError, RedisResult,
    auth::{BasicAuth, StreamingCredentialsProvider},
};

use crate::redis::EntraIdCredentialsProvider;

/// Each subscription yields the current credentials first, and then each change. Errors are items
/// as well, and do not end the stream.
///
/// For connections that the `redis` crate makes and re-authenticates by itself, such as its
/// `MultiplexedConnection` with `set_credentials_provider`. Such a connection has limits that no
/// provider can mend:
/// - it sends `AUTH` in the middle of a transaction made by hand (RA-04, RA-05), so use atomic
///   pipelines only;
/// - it sends `AUTH` behind the commands under way, where some servers do not answer a refused one
///   (RA-09);
/// - one `AUTH` that is refused, or not answered within the response timeout (500 ms by default),
///   ends re-authentication of that connection for good (RA-14);
/// - each connection sends its first `AUTH` twice (RA-15).
///
/// [`EntraConnection`](super::EntraConnection) has none of these limits.
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
