//! The accounts of users that have signed in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Fetched;
use crate::{Error, Secret, platform::BoxFuture};

/// The account of a user in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// The user's object id and home tenant, joined by a dot: the same in every tenant.
    pub home_account_id: String,
    /// The host of the authority, such as `login.microsoftonline.com`.
    pub environment: String,
    /// The tenant that the user signed in to.
    pub tenant_id: String,
    /// The name with which the user signs in.
    pub user_name: String,
}

/// Stores the accounts and refresh tokens of users that have signed in. Sources read it during a
/// fetch; a cached token is returned without it.
pub trait AccountStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the accounts that have signed in to the client, in a fixed order.
    ///
    /// # Errors
    /// [`Failed`](crate::ErrorKind::Failed) when the store cannot be read.
    fn accounts<'a>(&'a self, client_id: &'a str) -> BoxFuture<'a, Result<Vec<Account>, Error>>;

    /// Returns the refresh token of `account` for the client or for its family of clients; `None`
    /// if there is none.
    ///
    /// # Errors
    /// [`Failed`](crate::ErrorKind::Failed) when the store cannot be read.
    fn refresh_token<'a>(
        &'a self,
        account: &'a Account,
        client_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Secret>, Error>>;

    /// Stores the account of `fetched` with its tokens; does nothing if it has none. A refresh
    /// token replaces the earlier one; without one, the earlier one stays.
    ///
    /// # Errors
    /// [`Failed`](crate::ErrorKind::Failed) when the store cannot be written.
    fn keep<'a>(
        &'a self,
        client_id: &'a str,
        fetched: &'a Fetched,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Removes `account` in all tenants and for all clients, after the user has signed out.
    ///
    /// # Errors
    /// [`Failed`](crate::ErrorKind::Failed) when the store cannot be written.
    fn forget<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<(), Error>>;

    /// Drops the accounts and tokens that are held in memory, when the credential is disposed
    /// (PR-29).
    fn dispose(&self);
}

/// Keeps accounts in memory for as long as the credential lives. The default.
#[derive(Default)]
pub struct MemoryAccounts(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Each with the client that it has signed in to.
    accounts: BTreeSet<(String, Account)>,
    refresh_tokens: BTreeMap<Holder, Secret>,
    /// The family of each client that is known to have one.
    families: BTreeMap<String, String>,
}

/// The key of a refresh token, which is valid for its account in all tenants.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Holder {
    home_account_id: String,
    environment: String,
    user: Client,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Client {
    One(String),
    Family(String),
}

impl Holder {
    fn new(account: &Account, user: Client) -> Self {
        Self {
            home_account_id: account.home_account_id.clone(),
            environment: account.environment.clone(),
            user,
        }
    }

    fn is(&self, account: &Account) -> bool {
        self.home_account_id == account.home_account_id && self.environment == account.environment
    }
}

impl Known {
    fn keep(&mut self, client_id: &str, fetched: &Fetched) {
        let Some(account) = &fetched.account else {
            return;
        };
        // The ids identify the user; the name may change.
        self.accounts.retain(|(client, known)| {
            client != client_id
                || (&known.home_account_id, &known.environment, &known.tenant_id)
                    != (
                        &account.home_account_id,
                        &account.environment,
                        &account.tenant_id,
                    )
        });
        self.accounts
            .insert((client_id.to_owned(), account.clone()));
        if let Some(family) = &fetched.family {
            self.families.insert(client_id.to_owned(), family.clone());
        }
        if let Some(token) = &fetched.refresh_token {
            let user = match &fetched.family {
                Some(family) => Client::Family(family.clone()),
                None => Client::One(client_id.to_owned()),
            };
            let holder = Holder::new(account, user);
            self.refresh_tokens.insert(holder, token.clone());
        }
    }

    fn refresh_token(&self, account: &Account, client_id: &str) -> Option<Secret> {
        let family = self.families.get(client_id).cloned().map(Client::Family);
        [Some(Client::One(client_id.to_owned())), family]
            .into_iter()
            .flatten()
            .find_map(|user| self.refresh_tokens.get(&Holder::new(account, user)))
            .cloned()
    }

    fn forget(&mut self, account: &Account) {
        self.accounts.retain(|(_, known)| {
            known.home_account_id != account.home_account_id
                || known.environment != account.environment
        });
        self.refresh_tokens.retain(|holder, _| !holder.is(account));
    }
}

impl MemoryAccounts {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccountStore for MemoryAccounts {
    fn accounts<'a>(&'a self, client_id: &'a str) -> BoxFuture<'a, Result<Vec<Account>, Error>> {
        Box::pin(async move {
            let known = self.lock();
            let of_client = known
                .accounts
                .iter()
                .filter(|(client, _)| client == client_id);
            Ok(of_client.map(|(_, account)| account.clone()).collect())
        })
    }

    fn refresh_token<'a>(
        &'a self,
        account: &'a Account,
        client_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Secret>, Error>> {
        Box::pin(async move { Ok(self.lock().refresh_token(account, client_id)) })
    }

    fn keep<'a>(
        &'a self,
        client_id: &'a str,
        fetched: &'a Fetched,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.lock().keep(client_id, fetched);
            Ok(())
        })
    }

    fn forget<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.lock().forget(account);
            Ok(())
        })
    }

    fn dispose(&self) {
        *self.lock() = Known::default();
    }
}

impl fmt::Debug for MemoryAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.lock();
        f.debug_struct("MemoryAccounts")
            .field("accounts", &known.accounts.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::AccessToken;

    fn account(person: &str, tenant: &str) -> Account {
        Account {
            home_account_id: format!("{person}.home"),
            environment: "login.microsoftonline.com".to_owned(),
            tenant_id: tenant.to_owned(),
            user_name: format!("{person}@contoso.example"),
        }
    }

    fn fetched(account: &Account, refresh_token: Option<&str>, family: Option<&str>) -> Fetched {
        let access = AccessToken::new("access".to_owned(), Timestamp::UNIX_EPOCH, "Test");
        Fetched {
            refresh_token: refresh_token.map(Secret::from),
            account: Some(account.clone()),
            family: family.map(str::to_owned),
            ..Fetched::from(access)
        }
    }

    fn token(known: &Known, account: &Account, client: &str) -> Option<String> {
        let token = known.refresh_token(account, client)?;
        Some(token.expose().to_owned())
    }

    #[test]
    fn pr_47_a_refresh_token_is_for_its_account_and_client() {
        let mut known = Known::default();
        let (alice, bob) = (account("alice", "t"), account("bob", "t"));
        known.keep("app", &fetched(&alice, Some("first"), None));
        assert_eq!(token(&known, &alice, "app").as_deref(), Some("first"));
        assert_eq!(
            token(&known, &account("alice", "u"), "app").as_deref(),
            Some("first")
        );
        assert_eq!(token(&known, &alice, "other"), None);
        assert_eq!(token(&known, &bob, "app"), None);
        known.keep("app", &fetched(&alice, Some("second"), None));
        known.keep("app", &fetched(&alice, None, None));
        assert_eq!(token(&known, &alice, "app").as_deref(), Some("second"));
    }

    #[test]
    fn a_family_shares_its_refresh_token() {
        let mut known = Known::default();
        let alice = account("alice", "t");
        known.keep("az", &fetched(&alice, Some("family"), Some("1")));
        assert_eq!(
            token(&known, &alice, "code"),
            None,
            "it is not known to be of the family"
        );
        known.keep("code", &fetched(&alice, None, Some("1")));
        assert_eq!(token(&known, &alice, "code").as_deref(), Some("family"));
    }

    #[test]
    fn signing_out_removes_the_account_everywhere() {
        let mut known = Known::default();
        let (alice, bob) = (account("alice", "t"), account("bob", "t"));
        known.keep("app", &fetched(&alice, Some("a"), None));
        known.keep(
            "other",
            &fetched(&account("alice", "u"), Some("b"), Some("1")),
        );
        known.keep("app", &fetched(&bob, Some("c"), None));
        known.forget(&alice);
        assert_eq!(known.accounts.len(), 1);
        assert_eq!(known.refresh_tokens.len(), 1);
        assert_eq!(token(&known, &bob, "app").as_deref(), Some("c"));
    }

    #[test]
    fn an_account_is_known_to_each_client_in_each_tenant() {
        let mut known = Known::default();
        for client in ["app", "other"] {
            for who in [
                account("alice", "t"),
                account("alice", "u"),
                account("bob", "t"),
            ] {
                known.keep(client, &fetched(&who, None, None));
                known.keep(client, &fetched(&who, None, None));
            }
        }
        assert_eq!(known.accounts.len(), 6);
    }

    #[tokio::test]
    async fn pr_29_the_store_in_memory_keeps_the_contract_of_its_trait() {
        let store = MemoryAccounts::default();
        let (alice, bob) = (account("alice", "t"), account("bob", "t"));
        for who in [&alice, &bob] {
            store
                .keep("app", &fetched(who, Some("r3fresh"), None))
                .await
                .unwrap();
        }
        assert_eq!(store.accounts("app").await.unwrap().len(), 2);
        assert!(store.accounts("other").await.unwrap().is_empty());
        let token = store.refresh_token(&alice, "app").await.unwrap();
        assert_eq!(token.unwrap().expose(), "r3fresh");
        let debug = format!("{store:?}");
        assert!(
            debug.contains("accounts: 2") && !debug.contains("r3fresh"),
            "{debug}"
        );

        store.forget(&alice).await.unwrap();
        assert!(store.refresh_token(&alice, "app").await.unwrap().is_none());
        assert_eq!(
            store.accounts("app").await.unwrap(),
            std::slice::from_ref(&bob)
        );
        store.dispose();
        assert!(store.accounts("app").await.unwrap().is_empty());
        assert!(store.refresh_token(&bob, "app").await.unwrap().is_none());
    }

    #[test]
    fn an_account_is_listed_once_whatever_its_name() {
        let mut known = Known::default();
        let alice = account("alice", "t");
        known.keep("app", &fetched(&alice, None, None));
        let renamed = Account {
            user_name: "alice@fabrikam.example".to_owned(),
            ..alice
        };
        known.keep("app", &fetched(&renamed, None, None));
        let names: Vec<_> = known
            .accounts
            .iter()
            .map(|(_, a)| a.user_name.as_str())
            .collect();
        assert_eq!(names, ["alice@fabrikam.example"]);
    }
}
