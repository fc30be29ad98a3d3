//! Revoked tokens over real Redis servers. Sessions are JWTs, and each instance decodes them itself.
