"""What trees over the signs of neurons share: nodes, their order, and branching."""
