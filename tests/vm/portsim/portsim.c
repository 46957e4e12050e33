/*
 * portsim.c - kernel module of the test machine: gives any network device a link
 * speed, the EEPROM of an optical module, and a switch chip that takes sampling
 * filters, which netdevsim and veth lack.
 *
 *     echo "swp1 100000" >/sys/kernel/debug/portsim/add      Mb/s; again: a new speed
 *     cat module.bin >/sys/kernel/debug/portsim/swp1         the EEPROM's bytes
 *     echo swp1 >/sys/kernel/debug/portsim/offload           takes matchall with
 * sample, and does nothing with it
 *
 * SFP: 256 bytes of I2C address 0x50, then 256 of 0x51; QSFP and CMIS: the lower 128,
 * then 128 for each page of bank 0. "add", which comes first, and "offload" look in the
 * network namespace of their writer. All other operations stay the device's own.
 */
#include <linux/debugfs.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <net/pkt_cls.h>

#define EEPROM_MAX  8192
#define PAGE_LEN    128
#define SFP_LEN     256
#define ADDRESS_SFP 0x51 /* the second I2C address of an SFP */

struct port {
	struct list_head list;               /* in ports */
	struct net_device *dev;              /* borrowed until it is unregistered */
	const struct ethtool_ops *saved_ops; /* what the device came with */
	struct ethtool_ops ops;              /* the same, with ours in it */
	const struct net_device_ops *saved_netdev_ops; /* NULL: no chip is simulated */
	struct net_device_ops netdev_ops;
	u32 speed_mbps;
	u32 len; /* bytes in eeprom; 0: no module plugged in */
	u8 eeprom[EEPROM_MAX];
	struct dentry *file;
};

static LIST_HEAD(ports);  /* changed under the rtnl lock only */
static LIST_HEAD(blocks); /* of filters that are offered to us; likewise */
static struct dentry *directory;

static struct port *
port_of(struct net_device *dev)
{
	return container_of(dev->ethtool_ops, struct port, ops);
}

static struct port *
port_find(const struct net_device *dev)
{
	struct port *port;

	list_for_each_entry(port, &ports, list)
	{
		if (port->dev == dev)
			return port;
	}
	return NULL;
}

static int
get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *ret)
{
	ethtool_link_ksettings_zero_link_mode(ret, supported);
	ethtool_link_ksettings_zero_link_mode(ret, advertising);
	ethtool_link_ksettings_add_link_mode(ret, supported, FIBRE);
	ret->base.speed = port_of(dev)->speed_mbps;
	ret->base.duplex = DUPLEX_FULL;
	ret->base.port = PORT_FIBRE;
	ret->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

/* The old interface, which knows no CMIS. */
static int
get_module_info(struct net_device *dev, struct ethtool_modinfo *ret)
{
	const struct port *port = port_of(dev);

	if (port->len == 0)
		return -EOPNOTSUPP;
	switch (port->eeprom[0]) {
	case 0x03: /* SFP */
		ret->type = ETH_MODULE_SFF_8472;
		ret->eeprom_len = ETH_MODULE_SFF_8472_LEN;
		return 0;
	case 0x0c: /* QSFP */
	case 0x0d: /* QSFP+ */
	case 0x11: /* QSFP28 */
		ret->type = ETH_MODULE_SFF_8636;
		ret->eeprom_len = ETH_MODULE_SFF_8636_MAX_LEN;
		return 0;
	}
	return -EINVAL;
}

static void
copy_eeprom(const struct port *port, u32 at, u32 len, u8 *ret)
{
	u32 i;

	for (i = 0; i < len; i++)
		ret[i] = at + i < port->len ? port->eeprom[at + i] : 0;
}

static int
get_module_eeprom(struct net_device *dev, struct ethtool_eeprom *request, u8 *ret)
{
	copy_eeprom(port_of(dev), request->offset, request->len, ret);
	return 0;
}

static int
get_module_eeprom_by_page(struct net_device *dev,
	const struct ethtool_module_eeprom *request, struct netlink_ext_ack *extack)
{
	const struct port *port = port_of(dev);
	u32 at = request->offset;

	if (port->len == 0)
		return -EOPNOTSUPP;
	if (request->i2c_address == ADDRESS_SFP)
		at += SFP_LEN;
	else if (request->offset >= PAGE_LEN)
		at += PAGE_LEN * request->page;
	if (request->bank != 0 || at >= port->len)
		return -EINVAL;
	copy_eeprom(port, at, request->length, request->data);
	return request->length;
}

static ssize_t
eeprom_read(struct file *file, char __user *to, size_t len, loff_t *at)
{
	const struct port *port = file->private_data;

	return simple_read_from_buffer(to, len, at, port->eeprom, port->len);
}

static ssize_t
eeprom_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	struct port *port = file->private_data;
	ssize_t written =
		simple_write_to_buffer(port->eeprom, EEPROM_MAX, at, from, len);

	if (written > 0)
		port->len = max_t(u32, port->len, *at);
	return written;
}

static int
eeprom_open(struct inode *inode, struct file *file)
{
	struct port *port = inode->i_private;

	file->private_data = port;
	if (file->f_flags & O_TRUNC)
		port->len = 0;
	return 0;
}

static const struct file_operations eeprom_file = {
	.owner = THIS_MODULE,
	.open = eeprom_open,
	.read = eeprom_read,
	.write = eeprom_write,
	.llseek = default_llseek,
};

/* What a switch chip can do, and no more. */
static int
on_filter(enum tc_setup_type type, void *data, void *user_data)
{
	const struct tc_cls_matchall_offload *request = data;

	if (type != TC_SETUP_CLSMATCHALL)
		return -EOPNOTSUPP;
	if (request->command != TC_CLSMATCHALL_REPLACE)
		return 0;
	if (!flow_offload_has_one_action(&request->rule->action) ||
		request->rule->action.entries[0].id != FLOW_ACTION_SAMPLE)
		return -EOPNOTSUPP;
	return 0;
}

/* The kernel tells the blocks of a device apart by their callbacks. */
static int
on_egress_filter(enum tc_setup_type type, void *data, void *user_data)
{
	return on_filter(type, data, user_data);
}

static int
setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	const struct flow_block_offload *block = data;
	bool egress;

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	egress = block->binder_type == FLOW_BLOCK_BINDER_TYPE_CLSACT_EGRESS;
	return flow_block_cb_setup_simple(
		data, &blocks, egress ? on_egress_filter : on_filter, dev, dev, false);
}

static void
port_offload(struct port *port)
{
	struct net_device *dev = port->dev;

	if (port->saved_netdev_ops)
		return;
	port->saved_netdev_ops = dev->netdev_ops;
	port->netdev_ops = *dev->netdev_ops;
	port->netdev_ops.ndo_setup_tc = setup_tc;
	dev->netdev_ops = &port->netdev_ops;
	dev->hw_features |= NETIF_F_HW_TC;
	dev->features |= NETIF_F_HW_TC;
}

static void
port_remove(struct port *port)
{
	port->dev->ethtool_ops = port->saved_ops;
	if (port->saved_netdev_ops)
		port->dev->netdev_ops = port->saved_netdev_ops;
	list_del(&port->list);
	debugfs_remove(port->file);
	kfree(port);
}

static int
port_add(struct net_device *dev, u32 speed_mbps)
{
	struct port *port = port_find(dev);

	if (port) {
		port->speed_mbps = speed_mbps;
		return 0;
	}
	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return -ENOMEM;
	port->dev = dev;
	port->speed_mbps = speed_mbps;
	port->saved_ops = dev->ethtool_ops;
	port->ops = *dev->ethtool_ops;
	port->ops.get_link_ksettings = get_link_ksettings;
	port->ops.get_module_info = get_module_info;
	port->ops.get_module_eeprom = get_module_eeprom;
	port->ops.get_module_eeprom_by_page = get_module_eeprom_by_page;
	port->file =
		debugfs_create_file(dev->name, 0600, directory, port, &eeprom_file);
	list_add(&port->list, &ports);
	dev->ethtool_ops = &port->ops;
	return 0;
}

static ssize_t
add_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	char line[64], name[IFNAMSIZ];
	struct net_device *dev;
	u32 speed_mbps;
	int status;

	if (len >= sizeof(line) || copy_from_user(line, from, len))
		return -EINVAL;
	line[len] = '\0';
	if (sscanf(line, "%15s %u", name, &speed_mbps) != 2)
		return -EINVAL;
	rtnl_lock();
	dev = __dev_get_by_name(current->nsproxy->net_ns, name);
	status = dev ? port_add(dev, speed_mbps) : -ENODEV;
	rtnl_unlock();
	return status < 0 ? status : len;
}

static const struct file_operations add_file = {
	.owner = THIS_MODULE,
	.write = add_write,
};

static ssize_t
offload_write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	struct port *port = NULL;
	struct net_device *dev;
	char name[IFNAMSIZ];

	if (len >= sizeof(name) || copy_from_user(name, from, len))
		return -EINVAL;
	name[len] = '\0';
	rtnl_lock();
	dev = __dev_get_by_name(current->nsproxy->net_ns, strim(name));
	if (dev)
		port = port_find(dev);
	if (port)
		port_offload(port);
	rtnl_unlock();
	return port ? len : -ENODEV;
}

static const struct file_operations offload_file = {
	.owner = THIS_MODULE,
	.write = offload_write,
};

static int
on_netdevice(struct notifier_block *block, unsigned long event, void *info)
{
	struct port *port = port_find(netdev_notifier_info_to_dev(info));

	if (port && event == NETDEV_UNREGISTER)
		port_remove(port);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = on_netdevice };

static int __init
portsim_init(void)
{
	directory = debugfs_create_dir("portsim", NULL);
	debugfs_create_file("add", 0200, directory, NULL, &add_file);
	debugfs_create_file("offload", 0200, directory, NULL, &offload_file);
	return register_netdevice_notifier(&notifier);
}

static void __exit
portsim_exit(void)
{
	struct port *port, *next;

	/* This sends an UNREGISTER event for every device, so the list is empty. */
	unregister_netdevice_notifier(&notifier);
	rtnl_lock();
	list_for_each_entry_safe(port, next, &ports, list) port_remove(port);
	rtnl_unlock();
	debugfs_remove(directory);
}

module_init(portsim_init);
module_exit(portsim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("link speed and module EEPROM for any network device");
