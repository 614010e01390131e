"""Pure logic: no input or output, no clock; `now` is an argument wherever time matters."""
