"""EdgeEcho: the left ventricle in every frame of an echo cine, in real time, on a bare CPU.

Research software, not a medical device.
"""
