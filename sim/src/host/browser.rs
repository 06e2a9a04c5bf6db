//! The browser at a simulated host: it keeps the pages that it is asked for, and a service that
//! plays the person takes them from there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use credsim_identity::platform::{self, BoxFuture, BrowserError};
use tokio::sync::Notify;
use url::Url;

/// The browser at a host. Clones are the same browser.
#[derive(Clone, Default)]
pub struct Browser(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Rings when a page is opened.
    opened: Notify,
}

#[derive(Default)]
struct State {
    pages: Vec<Url>,
    missing: Option<BrowserError>,
}

impl Browser {
    /// From now on no page can be opened, for this reason; or again, for none.
    pub fn set_missing(&self, why: Option<BrowserError>) {
        self.lock().missing = why;
    }

    /// The pages that were opened, in order.
    pub fn pages(&self) -> Vec<Url> {
        self.lock().pages.clone()
    }

    /// The page with this number, counted from 0, as soon as it is opened.
    pub async fn page(&self, number: usize) -> Url {
        loop {
            // Before the look, so that none is missed between the two.
            let opened = self.0.opened.notified();
            if let Some(page) = self.lock().pages.get(number) {
                return page.clone();
            }
            opened.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl platform::Browser for Browser {
    fn open(&self, url: &Url) -> BoxFuture<'static, Result<(), BrowserError>> {
        let (browser, url) = (self.clone(), url.clone());
        Box::pin(async move {
            BrowserError::check(&url)?;
            let mut state = browser.lock();
            if let Some(why) = &state.missing {
                return Err(why.clone());
            }
            state.pages.push(url);
            drop(state);
            browser.0.opened.notify_waiters();
            Ok(())
        })
    }
}
