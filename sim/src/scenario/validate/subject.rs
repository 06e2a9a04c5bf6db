//! The credential under test.

use super::{
    super::{Credential, RetryOptions},
    Check, Place,
};

impl Check<'_> {
    pub(super) fn subject(&mut self) {
        // Wrong options are what such a story is about.
        if self.rest.is_about_building {
            return;
        }
        let place = Place::default().key("subject").key("credential");
        self.credential_options(&self.scenario.subject.credential, &place);
    }

    fn credential_options(&mut self, credential: &Credential, place: &Place) {
        match credential {
            Credential::Default(options) => {
                let place = place.key("default");
                for (index, name) in options.required_variables.iter().enumerate() {
                    let place = place.key("required-variables").index(index);
                    self.text(name, &place, "the name of an environment variable");
                }
                self.retry(&options.retry, &place.key("retry"));
            }
            Credential::Chain(options) => {
                let place = place.key("chain").key("of");
                if options.of.is_empty() {
                    self.at_value(&place, "a chain without members has nobody to ask")
                        .label("no members")
                        .expected("at least one credential")
                        .help("write `of = [{ managed-identity = {} }, { azure-cli = {} }]`");
                }
                for (index, member) in options.of.iter().enumerate() {
                    self.credential_options(member, &place.index(index));
                }
            }
            Credential::ManagedIdentity(options) => {
                let place = place.key("managed-identity");
                let given = [
                    ("client-id", &options.client_id),
                    ("object-id", &options.object_id),
                    ("resource-id", &options.resource_id),
                ];
                let mut given = given
                    .iter()
                    .filter_map(|(key, id)| Some((*key, id.as_deref()?)));
                let first = given.next();
                for (key, id) in first.into_iter().chain(given.clone()) {
                    self.text(
                        id,
                        &place.key(key),
                        "an id; leave it out for the system-assigned identity",
                    );
                }
                if let (Some((first, _)), Some((second, _))) = (first, given.next()) {
                    self.at_key(
                        &place.key(second),
                        "a managed identity is named by one id only",
                    )
                    .label(format!("`{first}` names it already"))
                    .expected("at most one of `client-id`, `object-id` and `resource-id`")
                    .help("keep one of them, or expect `that.not-built` if this is the story");
                }
                self.retry(&options.retry, &place.key("retry"));
            }
            Credential::ClientSecret(options) => {
                let place = place.key("client-secret");
                self.text(
                    &options.client_id,
                    &place.key("client-id"),
                    "the client id of an application",
                );
                self.text(
                    &options.secret,
                    &place.key("secret"),
                    "the secret of the application",
                );
                self.retry(&options.retry, &place.key("retry"));
            }
            Credential::AzureCli(options) => {
                self.process_timeout(options.process_timeout, &place.key("azure-cli"));
            }
            Credential::AzureDeveloperCli(options) => {
                self.process_timeout(options.process_timeout, &place.key("azure-developer-cli"));
            }
            Credential::AzurePowerShell(options) => {
                self.process_timeout(options.process_timeout, &place.key("azure-powershell"));
            }
            Credential::Cached(options) => {
                self.credential_options(&options.of, &place.key("cached").key("of"));
            }
            Credential::Environment(_) => {}
        }
    }

    fn retry(&mut self, retry: &RetryOptions, place: &Place) {
        if retry.max_retries.is_some_and(|most| most > MOST_RETRIES) {
            self.at_value(&place.key("max-retries"), "nobody retries that often")
                .label("too many")
                .expected(format!("at most {MOST_RETRIES}"))
                .help("leave it out for the credential's own number");
        }
    }

    fn process_timeout(&mut self, timeout: Option<super::Span>, place: &Place) {
        if let Some(timeout) = timeout {
            let help = "no command is that fast; leave it out for 15s";
            self.longer_than_zero(timeout, &place.key("process-timeout"), help);
        }
    }
}

/// More retries than that can't be meant.
const MOST_RETRIES: u32 = 1_000;
