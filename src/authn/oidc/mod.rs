//! OpenID Connect: verifying others' tokens, and issuing this gateway's own.
