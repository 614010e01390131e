"""What touches the world outside: databases, the network, files and models. No decisions are made here."""
