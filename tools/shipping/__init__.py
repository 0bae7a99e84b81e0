"""shipping: makes what is shipped, the sdist and the wheel, and proves it where it will be used (`make wheel`)."""
