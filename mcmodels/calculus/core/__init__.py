"""What an expression is: nodes, their normal form, and the functions that make them."""
