"""The fake console against what real servers were seen to answer; cases are named as captured."""
