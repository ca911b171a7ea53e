"""What else can be had to listen to Asterisk's queues, each as a program: `python NAME.py HOST PORT USER SECRET`.

They run in an environment of their own and import nothing of acd. At the end of stdin each says what it counted.
"""
