"""How good matching is: scoring anyone's texts, labelled sets, metrics."""
