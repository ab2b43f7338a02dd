"""Methods without a network: sparse codes, dictionaries, filters, and what can be measured on a picture."""
