"""What every engine shares: a prepared kind carried out in order, whoever makes its requests. Public SDK."""
