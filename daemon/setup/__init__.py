"""The first hour of ispsd on a ship: key, passwords, certificates, the broker's files; made once and never twice."""
