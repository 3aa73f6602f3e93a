"""Real servers of other systems: started in their own environments, asked, compared with the model's own answers."""
