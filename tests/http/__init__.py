"""What the HTTP servers share: connections and the protocol."""
