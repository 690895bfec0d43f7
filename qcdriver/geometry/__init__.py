"""Mathematics on positions and bonds: it knows no cluster, engine or file."""
