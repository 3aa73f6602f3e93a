"""Will this arrival be more than 15 minutes late? A small, complete ML system on the flights of New York in 2013."""
