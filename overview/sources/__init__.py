"""Where problems come from: a module a subject, in the order of causes."""
