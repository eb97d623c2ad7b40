"""What people order about the ship: a folder of orders by what they are about, and one table that names them all."""
