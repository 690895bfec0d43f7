"""`[prescreen]`: xTB relaxes every candidate; the best, without duplicates and mirror images, go on."""
