"""What all tests want of their surroundings."""

import signal

# A shell without job control starts what it puts into the background with SIGINT ignored, and
# programs that the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
