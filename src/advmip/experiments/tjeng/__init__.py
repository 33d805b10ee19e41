"""The experiments of Tjeng's poster (2019): what is verified, and on which networks."""
