"""What the contract tests are made of: a gateway, an account, function code, an issuer, raw requests."""
