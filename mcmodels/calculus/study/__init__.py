"""What is learnt from derivatives: derivations, checks, identities, mistakes, critical points."""
