"""Questions about a network and images of the user's own: the nearest attack, proof of a ball.

`labelled_images` finds the images, `answers` asks over processes and journals, `asking` tells what
comes of it; each question is a file.
"""
