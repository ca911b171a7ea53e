"""The only room that speaks AMI."""
