"""The cluster: VMs of several nodes that send, call, link, monitor and name across each other.

`Distribution` joins a VM to a cluster; everything else here is a part of it.
"""
