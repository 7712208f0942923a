//! Signing in: how an attempt went, and the second factor.

use crate::model::time::Timestamp;

words! {
    /// How an attempt to sign in to an account went.
    pub enum SignInOutcome {
        /// It began a login.
        Succeeded = "succeeded",
        /// The password was wrong.
        WrongPassword = "wrong_password",
        /// The password was right, and the code of the second factor was not.
        WrongCode = "wrong_code",
        /// The password was right, and no code came.
        NoCode = "no_code",
    }
}

/// An attempt to sign in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Its number among all.
    pub id: i64,
    /// How it went.
    pub outcome: SignInOutcome,
    /// What the client called itself.
    pub client: Option<String>,
    /// The address it came from.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A second factor.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret, in base 32.
    pub secret: String,
    /// The newest time step of which a code was taken.
    pub step: i64,
    /// Since when it counts; nothing until a code has confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub codes_left: i64,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret is for nobody's eyes.
        out.debug_struct("SecondFactor")
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}
