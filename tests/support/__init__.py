"""What tests share: a client with a host, the cast, factories, asserts."""
