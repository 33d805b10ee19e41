"""What trees over the signs of neurons share: nodes, branching, and which node is next."""
